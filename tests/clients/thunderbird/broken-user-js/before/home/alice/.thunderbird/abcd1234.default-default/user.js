user_pref("mail.server.server2.port", 0x10);
