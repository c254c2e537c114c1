// Compose-config judges compose files as Docker Compose reads them: schema, variables, merges, references. It starts
// nothing, and prints what is wrong. With -print it prints the whole project as YAML.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	show := flag.Bool("print", false, "print the project")
	flag.Parse()
	if err := judge(flag.Args(), *show); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func judge(files []string, show bool) error {
	options, err := cli.NewProjectOptions(files, cli.WithOsEnv, cli.WithDotEnv, cli.WithProfiles([]string{"*"}))
	if err != nil {
		return err
	}
	project, err := options.LoadProject(context.Background())
	if err != nil || !show {
		return err
	}
	text, err := project.MarshalYAML()
	if err == nil {
		_, err = os.Stdout.Write(text)
	}
	return err
}
