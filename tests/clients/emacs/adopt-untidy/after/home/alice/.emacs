;;; my init -*- lexical-binding: t -*-
(setq inhibit-startup-screen t
      user-full-name "Alice \"Al\" S."  ; who (me)
      user-mail-address "alice@acme.example")
(global-set-key (kbd "C-x m") #'compose-mail) (defvar c ?\")
(setq smtpmail-smtp-server "mail.old.example" smtpmail-smtp-service 25)
(setq smtpmail-stream-type nil)
(load "~/mail.el" 'noerror)
(custom-set-variables
 ;; custom-set-variables was added by Custom.
 '(gnutls-verify-error nil)
 '(send-mail-function 'smtpmail-send-it))
;; Local Variables:
;; coding: utf-8
;; End:
(load "~/.config/mailmuster/emacs" t t)