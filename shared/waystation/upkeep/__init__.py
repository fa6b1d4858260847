"""What goes on beside requests: ends what nobody settled, applies what the table did not take."""
