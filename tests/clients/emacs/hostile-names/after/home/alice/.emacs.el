(require (quote smtpmail))
(setq network-security-level (quote low))
(setq network-security-level 'low)
(load "~/.config/mailmuster/emacs" t t)