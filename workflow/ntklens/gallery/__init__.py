"""The page with all figures: `request` says what it shows, `contents` gathers it, `page` writes the HTML."""
