package transcript

// A block is lines that belong together.
type block struct {
	lines []Line
	keep  bool   // not broken over two pages, if a page can hold it
	next  bool   // stays on the page where the next block begins
	fresh bool   // begins a new page
	head  []Line // repeated on a new page that continues the block
}

// height returns the units of lines.
func height(lines []Line) int {
	n := 0
	for _, l := range lines {
		n += l.Units()
	}
	return n
}

// A flow sets blocks on pages of units height.
type flow struct {
	units int
	pages [][]Line
	used  int // units of the last page
}

// paginate sets the blocks on pages of Units units, at least one page.
func paginate(blocks []block) [][]Line { return paginateOn(Units, blocks) }

// paginateOn is paginate for pages of so many units.
func paginateOn(units int, blocks []block) [][]Line {
	f := &flow{units: units, pages: [][]Line{nil}}
	for i := 0; i < len(blocks); i++ {
		b := blocks[i]
		if b.fresh && f.used > 0 || f.used > 0 && f.used+f.need(blocks[i:]) > f.units {
			f.turn()
		}
		f.set(b)
	}
	if n := len(f.pages); n > 1 && len(f.pages[n-1]) == 0 {
		f.pages = f.pages[:n-1]
	}
	return f.pages
}

// need returns the units that must be free for the first block to begin here:
// all of it if it is to be kept, else three lines, and with them the beginning
// of the block that it introduces. A need of more than a page is none.
func (f *flow) need(blocks []block) int {
	n := 0
	for i, b := range blocks {
		h := height(b.lines)
		if b.fresh && i > 0 {
			break
		}
		if !b.keep && !b.next {
			h = min(h, height(b.head)+3)
		}
		if n+h > f.units {
			break
		}
		n += h
		if !b.next {
			break
		}
	}
	return n
}

// turn begins a new page.
func (f *flow) turn() {
	f.pages = append(f.pages, nil)
	f.used = 0
}

// set puts a block's lines on the last page and the ones after it. No empty
// line stands at a page's top, and no single line of a block alone on one.
func (f *flow) set(b block) {
	rest := b.lines
	for len(rest) > 0 {
		if f.used == 0 {
			for len(rest) > 0 && rest[0].Text == "" && rest[0].Style != Boxed {
				rest = rest[1:]
			}
		}
		n := f.fitting(rest)
		if n == len(rest)-1 && n > 2 && f.used+height(rest) > f.units {
			n--
		}
		f.put(rest[:n])
		if rest = rest[n:]; len(rest) > 0 {
			f.turn()
			f.put(b.head)
		}
	}
}

// fitting returns how many of lines fit on the last page, at least one on an
// empty page.
func (f *flow) fitting(lines []Line) int {
	n, used := 0, f.used
	for n < len(lines) && used+lines[n].Units() <= f.units {
		used += lines[n].Units()
		n++
	}
	return n
}

func (f *flow) put(lines []Line) {
	last := len(f.pages) - 1
	f.pages[last] = append(f.pages[last], lines...)
	f.used += height(lines)
}
