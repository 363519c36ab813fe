(setq smtpmail-smtp-server "smtp.isp.example"
  smtpmail-smtp-user "al")
