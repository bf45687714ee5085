"""巨量千川's marketing API: its endpoints as data, a client, what its answers mean to us, a server that speaks it."""
