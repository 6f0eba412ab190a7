set(links PkgConfig::JANSSON)
