// Command instance is the function that instances run in the suite of engines.
package main

import (
	"log"

	"github.com/jeton-dev/jeton/internal/engine/enginetest"
)

func main() {
	enginetest.Main()
	log.Fatal("the environment selects no behaviour")
}
