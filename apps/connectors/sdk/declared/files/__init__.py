"""Systems that hand over files: read from an SFTP server, or from what somebody uploaded."""
