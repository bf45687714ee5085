"""What is taken of an order, and what is given with it: fees, coupons, services; pure rules."""
