package table

import "syscall"

func bindMount(from, to string) error { return syscall.Mount(from, to, "", syscall.MS_BIND, "") }

func unmount(path string) error { return syscall.Unmount(path, syscall.MNT_DETACH) }
