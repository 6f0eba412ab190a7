# test_message looks at what was written with another parser than ours.
set(links PkgConfig::JANSSON)
