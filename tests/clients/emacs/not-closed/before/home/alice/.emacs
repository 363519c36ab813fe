(setq smtpmail-smtp-server "x"
(foo)
