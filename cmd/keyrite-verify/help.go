package main

// commandsHelp follows the help text of the check.
const commandsHelp = `
other commands ('keyrite-verify COMMAND --help' says more):
  proof FILE                      check one entry that is shown alone
  witness-key NAME -o FILE        make a witness's key
  cosign DIR|CHECKPOINT --key F   sign a checkpoint, or a verdict, as a witness
  tsq DIR -o FILE                 make a request for an RFC 3161 time-stamp
  hash FILE...                    print the SHA-256 of files in hex and in words
  version                         print the version
`
