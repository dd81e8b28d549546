"""The ways of pictures: sources and stills. Loaded in camera keepers only, as far as it needs the camera's extra."""
