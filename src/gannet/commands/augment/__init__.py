"""Making a data set larger by changed copies, by fakes, or by changed texts."""
