package ceremony

// Kinds of steps for the tests: enough to see that a model of the world works.
// None of them runs.

func testKinds() Kinds {
	kinds := Kinds{}
	for _, k := range []Kind{
		{Name: "roll", Does: "calls people", New: func() Action { return new(rollStep) }},
		{Name: "speak", Does: "a text is read", New: func() Action { return new(speakStep) }},
		{Name: "make", Does: "makes a key", New: func() Action { return new(makeStep) }},
		{Name: rootKind, Does: "a key signs its certificate", New: func() Action { return new(signStep) }},
		{Name: "copy", Does: "copies files", New: func() Action { return new(copyStep) }},
		{Name: "end", Does: "ends it all", New: func() Action { return new(endStep) }},
	} {
		kinds[k.Name] = k
	}
	return kinds
}

type noRun struct{}

func (noRun) Run(*Session) error { return nil }

type rollStep struct {
	noRun
	People []string `yaml:"people" desc:"who is called; everybody if left out"`
}

func (a *rollStep) Check(w *World) {
	people := a.People
	if people == nil {
		for _, p := range w.Script.Participants {
			people = append(people, p.ID)
		}
	}
	w.Present = map[string]bool{}
	for _, id := range people {
		w.Present[id] = true
	}
}

type speakStep struct {
	noRun
	Text  string `yaml:"text,required" desc:"what is read"`
	Loud  bool   `yaml:"loud" desc:"read it aloud"`
	Times int    `yaml:"times" desc:"how often"`
}

func (a *speakStep) Check(*World) {}

func (a *speakStep) ValidateFields(report func(path, what string)) {
	if a.Times < 0 {
		report("times", "expected 0 or more")
	}
}

type makeStep struct {
	noRun
	Key string `yaml:"key,required" desc:"the key to make"`
}

func (a *makeStep) Check(w *World) {
	switch k := w.Keys[a.Key]; {
	case k == nil:
		w.Problem("key", "%q is not one of the script's keys", a.Key)
	case k.Exists:
		w.Problem("key", "key %q was made before", a.Key)
	default:
		k.Exists = true
	}
}

type signStep struct {
	noRun
	Key  string `yaml:"key,required" desc:"the key that signs"`
	File string `yaml:"file,required" desc:"what is written" line:"one"`
	Hash string `yaml:"hash" enum:"SHA-256,SHA-384" desc:"what is signed"`
}

func (a *signStep) Check(w *World) {
	if k := w.Keys[a.Key]; k == nil || !k.Exists {
		w.Problem("key", "key %q is used before it is made", a.Key)
	}
	if old, ok := w.Files[a.File]; ok {
		w.Problem("file", "%q is written twice: step %q has made it already", a.File, old.Step)
	}
	w.Files[a.File] = FileState{Object: "certificate", Step: w.Step.ID, Key: a.Key}
}

type copyStep struct {
	noRun
	Files []string `yaml:"files,required" desc:"files to copy"`
}

func (a *copyStep) Check(w *World) {
	for i, f := range a.Files {
		if _, ok := w.Files[f]; !ok {
			w.Problem(at0("files", i), "%q does not exist by then", f)
		}
	}
}

type endStep struct{ noRun }

func (endStep) Check(w *World) { w.Closed = true }
