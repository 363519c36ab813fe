user_pref("mail.server.server2.userName", "alice");
