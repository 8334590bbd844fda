"""The seven pages: what each shows, as a context for its template. Nothing is estimated here."""
