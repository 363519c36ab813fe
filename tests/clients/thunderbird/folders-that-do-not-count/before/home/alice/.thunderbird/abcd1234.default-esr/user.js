// my own
user_pref("mail.server.server1.port", 143);
user_pref("mail.accountmanager.accounts", "account1");
user_pref("mail.server.server1.trash_folder_name", "Bin");
