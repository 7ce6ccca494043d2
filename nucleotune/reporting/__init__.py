"""What a reader sees: tables in the table contract, figures, the one-page report."""
