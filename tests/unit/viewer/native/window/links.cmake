set(links viewer_decoder_program viewer_rfb)
