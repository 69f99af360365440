"""Memory: messages kept to be found again by what they say, apart from the sources that `archive` keeps."""
