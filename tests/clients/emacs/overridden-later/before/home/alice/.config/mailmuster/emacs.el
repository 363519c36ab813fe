(setq user-mail-address "alice@acme.example")
(setq smtpmail-smtp-server "smtp.acme.example")
(setq smtpmail-smtp-service 465)
(setq smtpmail-stream-type 'ssl)
