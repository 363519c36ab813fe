pref("general.config.obscure_value", 0);
pref("general.config.filename", "mailmuster.cfg");
