user_pref("mail.accountmanager.accounts", "account2,account1");
