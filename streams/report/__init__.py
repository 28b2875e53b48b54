"""What an evaluation looks like: pictures as PNG and one page around them, for `yocho evaluate --pictures`.

Beside the two lines, behind `models.evaluate`. `evaluation` holds the numbers, `curves` the arithmetic between them
and a picture, `over_time` and `pictures` draw, `page` writes it all down, and `words` has every word of the page.
"""
