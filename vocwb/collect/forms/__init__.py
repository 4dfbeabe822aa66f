"""Forms in which exports are written: encodings, tables, trees, mails and transcripts."""
