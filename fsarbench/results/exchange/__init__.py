"""Results that travel: zip files, a results folder under git, and their verification."""
