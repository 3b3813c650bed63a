// Command print prints what package build knows.
package main

import (
	"fmt"

	"github.com/keyrite/keyrite/internal/build"
)

func main() {
	fmt.Printf("%s\n%s\n%s\n", build.Number(), build.Commit(), build.Text())
}
