package house

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	maxFile     = 500 // lines of a file that is no test
	maxFunction = 80  // lines of a function that is no test
)

// vagueNames say nothing about what a package is.
var vagueNames = []string{"util", "utils", "common", "types", "helper", "helpers", "misc", "shared", "lib"}

// packageNames: a package is named for what it is.
func packageNames(t *tree) (found []string) {
	for _, s := range t.sources {
		if slices.Contains(vagueNames, path.Base(s.dir)) || slices.Contains(vagueNames, s.ast.Name.Name) {
			found = append(found, fmt.Sprintf("%s: package %s says nothing about what it is", s.path, s.ast.Name.Name))
		}
	}
	return found
}

// at returns "path:line" of a node.
func (t *tree) at(n ast.Node) string {
	p := t.fset.Position(n.Pos())
	return p.Filename + ":" + strconv.Itoa(p.Line)
}

// functions calls f for every function that is no test.
func (t *tree) functions(f func(*source, *ast.FuncDecl)) {
	for _, s := range t.sources {
		for _, d := range s.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && !s.test {
				f(s, fn)
			}
		}
	}
}

// noInit: nothing happens because a package is imported.
func noInit(t *tree) (found []string) {
	t.functions(func(_ *source, fn *ast.FuncDecl) {
		if fn.Recv == nil && fn.Name.Name == "init" {
			found = append(found, t.at(fn)+": func init")
		}
	})
	return found
}

// sizes: files and functions stay readable.
func sizes(t *tree) (found []string) {
	for _, s := range t.sources {
		if !s.test && s.lines > maxFile {
			found = append(found, fmt.Sprintf("%s has %d lines, over %d", s.path, s.lines, maxFile))
		}
	}
	t.functions(func(_ *source, fn *ast.FuncDecl) {
		n := t.fset.Position(fn.End()).Line - t.fset.Position(fn.Pos()).Line + 1
		if n > maxFunction {
			found = append(found, fmt.Sprintf("%s: func %s has %d lines, over %d", t.at(fn), fn.Name.Name, n, maxFunction))
		}
	})
	return found
}

// noSkip: a test that does not run is no test. Files that import testing are
// looked at, so that helpers cannot skip for a test either.
func noSkip(t *tree) (found []string) {
	for _, s := range t.sources {
		if !slices.ContainsFunc(s.imports, func(u use) bool { return u.path == "testing" }) {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if sel, ok := call.Fun.(*ast.SelectorExpr); ok && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, sel.Sel.Name) {
				found = append(found, t.at(call)+": skips a test")
			}
			return true
		})
	}
	return found
}

var unfinished = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME)\b`)

// localPath finds an absolute path that is only true of the machine it was
// written on.
var localPath = regexp.MustCompile("(?m)(^|[\\s\"'`(=:,])/((home|work|tmp|Users)(/|\\b)|root/)")

// inTexts reports every line of a text file that the expression matches.
func (t *tree) inTexts(re *regexp.Regexp, what string) (found []string) {
	for name, b := range t.texts {
		for i, line := range strings.Split(string(b), "\n") {
			if re.MatchString(line) {
				found = append(found, fmt.Sprintf("%s:%d: %s: %s", name, i+1, what, strings.TrimSpace(line)))
			}
		}
	}
	return found
}

// noUnfinished: what is not done is an issue, not a mark in the code.
func noUnfinished(t *tree) []string { return t.inTexts(unfinished, "unfinished") }

// noLocalPaths: no file names a path of the machine it was written on.
func noLocalPaths(t *tree) []string { return t.inTexts(localPath, "path of one machine") }

// packageComments: every package says what it is.
func packageComments(t *tree) (found []string) {
	documented := map[string]bool{}
	for _, s := range t.sources {
		documented[s.dir] = documented[s.dir] || s.ast.Doc != nil
	}
	for dir, ok := range documented {
		if !ok {
			found = append(found, dir+" has no package comment")
		}
	}
	return found
}

// exportsDocumented: every exported name has a doc comment. A method may do
// without one where an interface of its package has a documented method of
// that name; the names of a group may share the group's comment.
func exportsDocumented(t *tree) (found []string) {
	inherited := t.interfaceMethods()
	for _, s := range t.sources {
		if s.test {
			continue
		}
		for _, d := range s.ast.Decls {
			for _, id := range undocumented(d, inherited[s.dir]) {
				found = append(found, fmt.Sprintf("%s: %s has no doc comment", t.at(id), id.Name))
			}
		}
	}
	return found
}

// interfaceMethods returns the documented methods of each directory's
// interfaces.
func (t *tree) interfaceMethods() map[string]map[string]bool {
	methods := map[string]map[string]bool{}
	for _, s := range t.sources {
		ast.Inspect(s.ast, func(n ast.Node) bool {
			it, ok := n.(*ast.InterfaceType)
			if !ok || s.test {
				return true
			}
			for _, m := range it.Methods.List {
				for _, id := range m.Names {
					if m.Doc == nil && m.Comment == nil {
						continue
					}
					if methods[s.dir] == nil {
						methods[s.dir] = map[string]bool{}
					}
					methods[s.dir][id.Name] = true
				}
			}
			return true
		})
	}
	return methods
}

// undocumented returns the exported names of a declaration that have no
// comment.
func undocumented(d ast.Decl, inherited map[string]bool) (ids []*ast.Ident) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		hidden := d.Recv != nil && (!ast.IsExported(receiver(d)) || inherited[d.Name.Name])
		if d.Name.IsExported() && d.Doc == nil && !hidden {
			ids = append(ids, d.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			if d.Doc == nil {
				ids = append(ids, undocumentedSpec(spec)...)
			} else if ts, ok := spec.(*ast.TypeSpec); ok && len(d.Specs) > 1 {
				ids = append(ids, undocumentedSpec(ts)...)
			}
		}
	}
	return ids
}

func undocumentedSpec(spec ast.Spec) (ids []*ast.Ident) {
	switch s := spec.(type) {
	case *ast.TypeSpec:
		if s.Name.IsExported() && s.Doc == nil && s.Comment == nil {
			ids = append(ids, s.Name)
		}
	case *ast.ValueSpec:
		for _, id := range s.Names {
			if id.IsExported() && s.Doc == nil && s.Comment == nil {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// receiver returns the name of a method's type.
func receiver(fn *ast.FuncDecl) string {
	e := fn.Recv.List[0].Type
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

// qualified returns "time.Now" for such a selector, else "".
func qualified(e ast.Expr) string {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	if id, ok := sel.X.(*ast.Ident); ok {
		return id.Name + "." + sel.Sel.Name
	}
	return ""
}

// noGlobalSources: clock, randomness and logger are handed in, not package
// variables.
func noGlobalSources(t *tree) (found []string) {
	forbidden := []string{"time.Now", "rand.Reader", "log.New", "log.Default", "slog.New", "slog.Default"}
	for _, s := range t.sources {
		for _, d := range s.ast.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR || s.test {
				continue
			}
			for _, spec := range g.Specs {
				for _, v := range spec.(*ast.ValueSpec).Values {
					if call, ok := v.(*ast.CallExpr); ok {
						v = call.Fun
					}
					if q := qualified(v); slices.Contains(forbidden, q) {
						found = append(found, fmt.Sprintf("%s: package variable holds %s", t.at(v), q))
					}
				}
			}
		}
	}
	return found
}

// exitsInCommands: only a command ends the program.
func exitsInCommands(t *tree) (found []string) {
	fatal := []string{"os.Exit", "log.Fatal", "log.Fatalf", "log.Fatalln", "syscall.Exit"}
	for _, s := range t.sources {
		if s.test || s.ast.Name.Name == "main" {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			if e, ok := n.(*ast.SelectorExpr); ok && slices.Contains(fatal, qualified(e)) {
				found = append(found, t.at(e)+": "+qualified(e)+" below a command")
			}
			return true
		})
	}
	return found
}

var capital = regexp.MustCompile(`^[A-Z][a-z]+\b`)

// errorTexts: an error begins lower case and has no period, since it becomes
// part of a longer one. Names such as C_Login or SO-PIN may begin it.
func errorTexts(t *tree) (found []string) {
	for _, s := range t.sources {
		if s.test {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 || !slices.Contains([]string{"errors.New", "fmt.Errorf"}, qualified(call.Fun)) {
				return true
			}
			lit, ok := call.Args[0].(*ast.BasicLit)
			if !ok {
				return true
			}
			text, err := strconv.Unquote(lit.Value)
			if err == nil && (capital.MatchString(text) || strings.HasSuffix(text, ".") || strings.HasSuffix(text, "\n")) {
				found = append(found, fmt.Sprintf("%s: error text %q", t.at(call), text))
			}
			return true
		})
	}
	return found
}
