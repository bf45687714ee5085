"""The command line: parse, call one action, print. Heavy imports stay inside the commands, so that help is quick."""
