set(links PkgConfig::SQLITE)
