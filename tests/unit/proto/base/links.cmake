# test_log reads the JSON lines back with a real parser.
set(links PkgConfig::JANSSON)
