unused
(setq smtpmail-smtp-server "no")