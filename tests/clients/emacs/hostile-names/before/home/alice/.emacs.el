(require (quote smtpmail))
(setq network-security-level (quote low))
(setq network-security-level 'low)