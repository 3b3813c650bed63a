package audit_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/audit/storetest"
)

const document = "../docs/audit-log.md"

var update = flag.Bool("update", false, "write the generated parts of docs/audit-log.md again")

// generated returns what stands between the marks of a part.
func generated(t *testing.T, doc, part string) (before, middle, after string) {
	t.Helper()
	begin, end := "<!-- generated: "+part+" -->\n", "<!-- end of "+part+" -->"
	before, rest, ok := strings.Cut(doc, begin)
	middle, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no part %q", document, part)
	}
	return before + begin, middle, end + after
}

// The generated parts of the document are up to date.
func TestDocumentIsUpToDate(t *testing.T) {
	b, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	doc := string(b)
	for part, want := range map[string]string{"kinds": kindTables(t), "example": example(t), "witness example": witnessExample(t)} {
		before, got, after := generated(t, doc, part)
		if got != want && !*update {
			t.Errorf("part %q of %s is not up to date: go test ./audit -run Document -update", part, document)
		}
		doc = before + want + after
	}
	if *update {
		if err := os.WriteFile(document, []byte(doc), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Every kind and every member of every kind is named in the document.
func TestDocumentNamesEverything(t *testing.T) {
	b, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	name := func(what string) {
		n++
		if !bytes.Contains(b, []byte("`"+what+"`")) {
			t.Errorf("%s does not name `%s`", document, what)
		}
	}
	for _, kind := range kinds() {
		name(kind)
		eachMember(reflect.TypeOf(audit.Kinds[kind]()).Elem(), func(f reflect.StructField, tag string) { name(tag) })
	}
	if n < 150 {
		t.Errorf("only %d names were looked for", n)
	}
}

// eachMember calls f for every member at every depth.
func eachMember(typ reflect.Type, f func(f reflect.StructField, tag string)) {
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct {
		return
	}
	for i := range typ.NumField() {
		tag, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		f(typ.Field(i), tag)
		eachMember(typ.Field(i).Type, f)
	}
}

// kindTables returns a table for every kind and for every object in one.
func kindTables(t *testing.T) string {
	comments := sourceComments(t)
	var out strings.Builder
	objects := map[string]reflect.Type{}
	for _, kind := range kinds() {
		typ := reflect.TypeOf(audit.Kinds[kind]()).Elem()
		fmt.Fprintf(&out, "\n#### `%s`\n\n", kind)
		typeTable(&out, typ, comments, objects)
	}
	out.WriteString("\n### Objects inside data\n")
	var names []string
	for {
		more := false
		for name := range objects {
			if !slices.Contains(names, name) {
				names, more = append(names, name), true
				typeTable(new(strings.Builder), objects[name], comments, objects)
			}
		}
		if !more {
			break
		}
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&out, "\n#### object %s\n\n", name)
		typeTable(&out, objects[name], comments, objects)
	}
	return out.String() + "\n"
}

// typeTable writes a type's comment and members, and notes the objects that
// they have.
func typeTable(out *strings.Builder, typ reflect.Type, comments map[string]string, objects map[string]reflect.Type) {
	if c := comments[typ.Name()]; c != "" {
		fmt.Fprintf(out, "%s\n\n", c)
	}
	var rows []string
	for i := range typ.NumField() {
		f := typ.Field(i)
		tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		what := typeName(f.Type, objects)
		if options == "omitempty" {
			what += ", may be missing"
		}
		rows = append(rows, fmt.Sprintf("| `%s` | %s | %s |", tag, what, strings.ReplaceAll(comments[typ.Name()+"."+f.Name], "|", "\\|")))
	}
	slices.Sort(rows)
	fmt.Fprintf(out, "| member | type | meaning |\n|---|---|---|\n%s\n", strings.Join(rows, "\n"))
}

func typeName(typ reflect.Type, objects map[string]reflect.Type) string {
	switch typ.Kind() {
	case reflect.Pointer:
		return typeName(typ.Elem(), objects)
	case reflect.Slice:
		return "list of " + typeName(typ.Elem(), objects)
	case reflect.Struct:
		objects[typ.Name()] = typ
		return "object " + typ.Name()
	case reflect.Int, reflect.Int64:
		return "integer"
	case reflect.Bool:
		return "boolean"
	}
	return typ.Kind().String()
}

// sourceComments returns the comments of the types and fields in the files
// kinds*.go, by "Type" and "Type.Field".
func sourceComments(t *testing.T) map[string]string {
	t.Helper()
	comments := map[string]string{}
	files, err := filepath.Glob("kinds*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			if gen, ok := decl.(*ast.GenDecl); ok && gen.Tok == token.TYPE {
				typeComments(gen, comments)
			}
		}
	}
	return comments
}

func typeComments(gen *ast.GenDecl, comments map[string]string) {
	for _, spec := range gen.Specs {
		s := spec.(*ast.TypeSpec)
		comments[s.Name.Name] = oneLine(gen.Doc.Text())
		if st, ok := s.Type.(*ast.StructType); ok {
			for _, f := range st.Fields.List {
				comments[s.Name.Name+"."+f.Names[0].Name] = oneLine(f.Doc.Text() + f.Comment.Text())
			}
		}
	}
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// example writes the worked example: a log of three entries by a key made from
// a seed that everybody knows.
func example(t *testing.T) string {
	seed := sha256.Sum256([]byte("keyrite audit-log.md example"))
	k, err := audit.NewLogKey(origin, bytes.NewReader(seed[:]))
	if err != nil {
		t.Fatal(err)
	}
	m := new(storetest.Memory)
	at := start
	l, err := audit.Create(audit.Config{Store: m, Key: k, Origin: origin, Rand: &source{seed: "example"}, Now: func() time.Time {
		at = at.Add(1500 * time.Millisecond)
		return at
	}})
	if err != nil {
		t.Fatal(err)
	}
	appendTo(t, l, "", &audit.LogOpen{
		Format: 1, Origin: origin, Mode: audit.ModeRehearsal, LogKey: k.VerifierKey(),
		Script:  audit.File{Name: "script.yaml", SHA256: strings.Repeat("5c", 32), Size: 4096},
		Program: audit.Program{Version: "1.0.0", Go: "go1.26.0", Platform: "linux/amd64", SHA256: strings.Repeat("b1", 32)},
		Title:   "Root ceremony", Organisation: "Example CA", Place: "Example Town", Purpose: "A worked example",
	})
	appendTo(t, l, "roll-call", &audit.Attendance{Person: "w1", Name: "Ελένη", Roles: []string{"internal-witness"}, Present: true, Identity: "passport"})
	appendTo(t, l, "roll-call", &audit.Result{Name: "a \"quoted\"\ttab", Value: "\\ / \u001f < \u2028"})

	var out strings.Builder
	block := func(name, text string) { fmt.Fprintf(&out, "```text %s\n%s\n```\n\n", name, text) }
	out.WriteString("\nThe private key's 32-byte seed, and the verifier key:\n\n")
	block("seed", hex.EncodeToString(seed[:]))
	block("vkey", k.VerifierKey())
	for i, b := range encoded(t, m) {
		h := audit.LeafHash(b)
		fmt.Fprintf(&out, "Entry %d, %d bytes, and its hash:\n\n", i, len(b))
		block(fmt.Sprintf("entry-%d", i), string(b))
		block(fmt.Sprintf("hash-%d", i), h.String())
	}
	root := l.Root()
	out.WriteString("Entry 2 once more, in hex:\n\n")
	block("hex-2", hexLines(encoded(t, m)[2]))
	out.WriteString("The bytes that the tree's one inner node below the root is the hash of (0x01, then the hashes of the entries 0 and 1), and its hash:\n\n")
	leaves := leafHashes(encoded(t, m))
	node := slices.Concat([]byte{1}, leaves[0][:], leaves[1][:])
	inner := sha256.Sum256(node)
	block("hex-node", hexLines(node))
	block("node", hex.EncodeToString(inner[:]))
	out.WriteString("The bytes that the root is the hash of (0x01, that node, the hash of entry 2):\n\n")
	block("hex-root", hexLines(slices.Concat([]byte{1}, inner[:], leaves[2][:])))
	out.WriteString("The root over the three, and its words:\n\n")
	block("root", root.String())
	words := audit.Words(root[:])
	block("words", strings.Join(words[:16], " ")+"\n"+strings.Join(words[16:], " "))
	out.WriteString("The checkpoint, a signed note (the last line ends in a newline, too):\n\n")
	block("checkpoint", strings.TrimSuffix(string(l.Checkpoint()), "\n"))
	out.WriteString("The text that its signature is over, in hex, and the 68 bytes of its base64: the key hash, then the signature:\n\n")
	text, _, _ := strings.Cut(string(l.Checkpoint()), "\n\n")
	block("hex-checkpoint", hexLines([]byte(text+"\n")))
	block("hex-signature", hexLines(lastSignature(t, l.Checkpoint())))
	out.WriteString("A manifest of this log, over a SHA256SUMS of no bytes ([bundle.md](bundle.md#manifest)):\n\n")
	manifest, err := k.SignNote(fmt.Sprintf("keyrite manifest v1\norigin %s\nsize 3\nroot %s\nsums %x\n", origin, root, sha256.Sum256(nil)))
	if err != nil {
		t.Fatal(err)
	}
	block("manifest", strings.TrimSuffix(string(manifest), "\n"))
	return out.String()
}

func leafHashes(entries [][]byte) (list []audit.Hash) {
	for _, b := range entries {
		list = append(list, audit.LeafHash(b))
	}
	return list
}

// lastSignature returns the bytes of a note's last signature line.
func lastSignature(t *testing.T, b []byte) []byte {
	t.Helper()
	at := bytes.LastIndexByte(b, ' ')
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(b[at+1:])))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func hexLines(b []byte) string {
	var lines []string
	for part := range slices.Chunk(b, 32) {
		lines = append(lines, hex.EncodeToString(part))
	}
	return strings.Join(lines, "\n")
}

// readExample returns the example blocks of a part of the document by their names.
func readExample(t *testing.T, part string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	_, part, _ = generated(t, string(b), part)
	blocks := map[string]string{}
	for _, s := range strings.Split(part, "```text ")[1:] {
		name, rest, _ := strings.Cut(s, "\n")
		text, _, _ := strings.Cut(rest, "\n```")
		blocks[name] = text
	}
	return blocks
}

// The example as it stands in the document holds, by SHA-256, x/mod's tlog and
// x/mod's note alone.
func TestDocumentExample(t *testing.T) {
	blocks := readExample(t, "example")
	prev := strings.Repeat("0", 64)
	var leaves []tlog.Hash
	for i := range 3 {
		entry := blocks[fmt.Sprintf("entry-%d", i)]
		if !strings.Contains(entry, `"prev":"`+prev+`"`) || !strings.Contains(entry, fmt.Sprintf(`"seq":%d,`, i)) {
			t.Errorf("entry %d does not follow: %s", i, entry)
		}
		h := sha256.Sum256([]byte("\x00" + entry))
		if prev = hex.EncodeToString(h[:]); prev != blocks[fmt.Sprintf("hash-%d", i)] {
			t.Errorf("the hash of entry %d is %s", i, prev)
		}
		leaves = append(leaves, h)
		if _, err := audit.Parse([]byte(entry)); err != nil {
			t.Error(err)
		}
	}
	if b, err := hex.DecodeString(strings.ReplaceAll(blocks["hex-2"], "\n", "")); err != nil || string(b) != blocks["entry-2"] {
		t.Errorf("the hex of entry 2 is %q, %v", b, err)
	}
	root := tlog.NodeHash(tlog.NodeHash(leaves[0], leaves[1]), leaves[2])
	if hex.EncodeToString(root[:]) != blocks["root"] {
		t.Errorf("the root is %x", root)
	}
	if b, err := audit.ParseWords(blocks["words"]); err != nil || !bytes.Equal(b, root[:]) {
		t.Errorf("the words say %x, %v", b, err)
	}
	v, err := note.NewVerifier(blocks["vkey"])
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open([]byte(blocks["checkpoint"]+"\n"), note.VerifierList(v))
	if err != nil || n.Text != fmt.Sprintf("%s\n3\n%s\n", origin, root) {
		t.Errorf("the checkpoint says %+v, %v", n, err)
	}
	checkExampleBytes(t, blocks, v)
}

// checkExampleBytes checks what the document has in hex beside the blocks, by
// SHA-256 and Ed25519 alone, and the manifest.
func checkExampleBytes(t *testing.T, blocks map[string]string, v note.Verifier) {
	t.Helper()
	raw := map[string][]byte{}
	for name, text := range blocks {
		if b, err := hex.DecodeString(strings.ReplaceAll(text, "\n", "")); err == nil {
			raw[name] = b
		}
	}
	for name, of := range map[string]string{"node": "hex-node", "root": "hex-root"} {
		if sum := sha256.Sum256(raw[of]); !bytes.Equal(sum[:], raw[name]) || !strings.HasPrefix(blocks[of], "01") {
			t.Errorf("%s is not the SHA-256 of %s", name, of)
		}
	}
	key, err := base64.StdEncoding.DecodeString(blocks["vkey"][strings.LastIndex(blocks["vkey"][:len(blocks["vkey"])-44], "+")+1:])
	if err != nil || len(key) != 33 || key[0] != 1 {
		t.Fatalf("the verifier key has %x, %v", key, err)
	}
	signature := raw["hex-signature"]
	if len(signature) != 68 || binary.BigEndian.Uint32(signature) != v.KeyHash() || !ed25519.Verify(key[1:], raw["hex-checkpoint"], signature[4:]) {
		t.Errorf("the signature in hex is not one over the text in hex")
	}
	if text := string(raw["hex-checkpoint"]); !strings.HasPrefix(blocks["checkpoint"], text+"\n") {
		t.Errorf("the text in hex is %q", text)
	}
	n, err := note.Open([]byte(blocks["manifest"]+"\n"), note.VerifierList(v))
	if err != nil || !strings.HasPrefix(n.Text, "keyrite manifest v1\norigin "+origin+"\nsize 3\nroot "+blocks["root"]+"\n") {
		t.Errorf("the manifest says %+v, %v", n, err)
	}
}
