"""What runs on the host: the steps, one POSIX sh file each, and the module that makes a step a remote command."""
