pref("general.config.filename", "mm.cfg");
