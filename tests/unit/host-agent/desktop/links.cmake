set(links PkgConfig::VNCCLIENT PkgConfig::X11)
