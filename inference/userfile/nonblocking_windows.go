package userfile

const nonblocking = 0 // pipes have a namespace of their own there
