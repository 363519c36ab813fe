pref("mail.server.server2.port", oops);
