(load "~/.config/mailmuster/emacs" t t)
