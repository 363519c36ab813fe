pref("app.update.enabled", false);
