"""What the command line shows: lines, tables, live views. Above the client; no hardware, no agent."""
