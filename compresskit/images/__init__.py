"""Images as arrays: read, resized, cropped and scaled as a model was trained. numpy and Pillow alone."""
