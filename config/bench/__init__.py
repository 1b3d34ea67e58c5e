"""Books of any size made by the database itself, and the close of day timed on them (``manage.py bench``)."""
