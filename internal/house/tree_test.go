// Package house holds the rules of the house and the tests that keep them: who
// may import whom, which package alone may use a dependency, how large a
// function may grow. It has no other code. ARCHITECTURE.md draws the picture
// that these tests enforce.
package house

import (
	"bytes"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/modfile"
)

// A tree is a module as its files stand on disk.
type tree struct {
	module   string // module path
	requires []*modfile.Require
	fset     *token.FileSet
	sources  []*source         // Go files, testdata left out
	texts    map[string][]byte // every text file, Go files included, by path
}

// A source is one parsed Go file.
type source struct {
	path    string // "audit/entry.go"
	dir     string // "audit"; "." at the top
	test    bool   // ends in _test.go
	ast     *ast.File
	lines   int
	imports []use
}

// A use is one import of a file.
type use struct {
	path string // as imported
	own  string // directory in this module, or "" for other modules' packages
}

// load reads a module. Directories and files that .gitignore leaves out at the
// top are not part of it.
func load(fsys fs.FS) (*tree, error) {
	mod, err := fs.ReadFile(fsys, "go.mod")
	if err != nil {
		return nil, err
	}
	parsed, err := modfile.Parse("go.mod", mod, nil)
	if err != nil {
		return nil, err
	}
	t := &tree{
		module:   parsed.Module.Mod.Path,
		requires: parsed.Require,
		fset:     token.NewFileSet(),
		texts:    map[string][]byte{},
	}
	ignored, err := ignoredNames(fsys)
	if err != nil {
		return nil, err
	}
	return t, fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == ".git" || slices.Contains(ignored, "/"+name+"/")):
			return fs.SkipDir
		case !d.Type().IsRegular() || ignoredFile(ignored, name):
			return nil
		}
		return t.add(fsys, name)
	})
}

// ignoredNames returns the lines of .gitignore: "/dir/" and "*.suffix" are the
// two forms that load understands.
func ignoredNames(fsys fs.FS) ([]string, error) {
	b, err := fs.ReadFile(fsys, ".gitignore")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return strings.Fields(string(b)), err
}

func ignoredFile(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		return strings.HasPrefix(p, "*.") && strings.HasSuffix(name, p[1:])
	})
}

// add takes one file into the tree; binary files (those with a NUL) are left
// out, Go files under testdata are text only.
func (t *tree) add(fsys fs.FS, name string) error {
	b, err := fs.ReadFile(fsys, name)
	if err != nil || bytes.IndexByte(b, 0) >= 0 {
		return err
	}
	t.texts[name] = b
	if path.Ext(name) != ".go" || strings.Contains(name, "testdata/") {
		return nil
	}
	f, err := parser.ParseFile(t.fset, name, b, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	s := &source{
		path:  name,
		dir:   path.Dir(name),
		test:  strings.HasSuffix(name, "_test.go"),
		ast:   f,
		lines: bytes.Count(b, []byte("\n")),
	}
	for _, spec := range f.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		s.imports = append(s.imports, use{path: imported, own: t.own(imported)})
	}
	t.sources = append(t.sources, s)
	return nil
}

// own returns the directory of an import path of this module, else "".
func (t *tree) own(imported string) string {
	if imported == t.module {
		return "."
	}
	if rest, ok := strings.CutPrefix(imported, t.module+"/"); ok {
		return rest
	}
	return ""
}

// within reports whether dir is one of the patterns: "a/b" is that directory
// alone, "a/b/..." also all below it.
func within(dir string, patterns ...string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		base, deep := strings.CutSuffix(p, "/...")
		return dir == base || deep && strings.HasPrefix(dir, base+"/")
	})
}

// closure returns the module's own directories that the non-test files of the
// given ones need, themselves included, each with the way it came in:
// "internal/verify → audit".
func (t *tree) closure(roots ...string) map[string]string {
	edges := map[string][]string{}
	for _, s := range t.sources {
		for _, u := range s.imports {
			if !s.test && u.own != "" {
				edges[s.dir] = append(edges[s.dir], u.own)
			}
		}
	}
	way := map[string]string{}
	var visit func(dir, from string)
	visit = func(dir, from string) {
		if _, seen := way[dir]; seen {
			return
		}
		way[dir] = from + dir
		for _, next := range edges[dir] {
			visit(next, from+dir+" → ")
		}
	}
	for _, r := range roots {
		visit(r, "")
	}
	return way
}
