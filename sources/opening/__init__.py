"""What a file of bare sales lacks to be a chain's stock: opening stock, deliveries, web orders."""
