package bundletest

import (
	"encoding/hex"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/pki"
)

// A File is a file that is signed, as tests may change it before it is written.
type File struct {
	Content []byte
	Answers []*audit.Answer    // from paper
	TBS     *audit.ToBeSigned  // the announcement
	Value   []byte             // the signature's file
	Made    *audit.Artifact    // its entry
	Brought *audit.Artifact    // the file's own entry
	Given   *audit.HSMOutcome  // of C_Sign
	Change  func(stage string) // called before each is written: "brought", "announced", "signed", "made"
}

// SignFile has a key sign a file in the running step, as a step of the kind
// sign-file does. change gets the file before anything is written.
func (b *Builder) SignFile(key, name string, content []byte, change func(*File)) {
	b.t.Helper()
	k := b.keys[key]
	f := &File{Content: content, Change: func(string) {}}
	if change != nil {
		change(f)
	}
	file := b.write("artifacts/"+name, f.Content)
	for _, person := range []string{"wil", "ewa"} {
		f.Answers = append(f.Answers, &audit.Answer{Person: person, Question: "SHA-256 of the file, from paper", Value: file.SHA256[:16]})
	}
	f.Brought = &audit.Artifact{File: file, Object: "file", Checks: "compared with two papers"}
	f.Change("brought")
	for _, a := range f.Answers {
		b.Add(a)
	}
	b.Add(f.Brought)
	mechanism, input, err := pki.DetachedInput(f.Content, k.signer.Public())
	b.must(err)
	f.TBS = &audit.ToBeSigned{
		Object: "file", For: "artifacts/" + name + ".sig", TBS: file, Key: key, Mechanism: mechanism, Digest: "SHA-256",
		Input: hex.EncodeToString(input), Profile: "detached signature", Lint: []string{},
	}
	f.Change("announced")
	of := b.Add(f.TBS)
	b.Call(audit.HSMIntent{Function: "C_SignInit", Session: "1", Mechanism: mechanism, Object: "4"}, audit.HSMOutcome{})
	raw := rawSign(b, k.signer, &pki.TBS{Input: input})
	f.Given = &audit.HSMOutcome{Signature: hex.EncodeToString(raw)}
	f.Change("signed")
	seq := b.Call(audit.HSMIntent{Function: "C_Sign", Session: "1", Data: f.TBS.Input, For: of}, *f.Given)
	f.Value, err = pki.DetachedSignature(raw, k.signer.Public())
	b.must(err)
	f.Made = &audit.Artifact{Object: "signature", Signed: seq, Checks: "signature verified"}
	f.Change("made")
	f.Made.File = b.write("artifacts/"+name+".sig", f.Value)
	b.Add(f.Made)
}
