// machine
pref("mail.server.server2.port", 143, locked);
pref("mail.server.default.authMethod", 7);
pref("mail.server.server2.socketType", 3, locked);
