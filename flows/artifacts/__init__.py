"""What a run leaves in the Prefect UI. An artifact can't show a mail (styles and frames are stripped), so it links to
the web app. None names a reader.

`composed` shows an edition, and what an operator is asked about one; `progress` a delivery while it goes on and how it
ended, in the words of `delivery_words` and with the `pace_picture`; `reputation` what came back; `markdown` keeps a
stranger's words from being read as anything but words.
"""
