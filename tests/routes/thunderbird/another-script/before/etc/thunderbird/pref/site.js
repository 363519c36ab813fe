pref("general.config.filename", "site.cfg");
