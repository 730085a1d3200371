// Records what text/template makes of templates: reads lines of JSON with a "template", writes them with "output" or "error".
//
//	go run . < templates.jsonl > ../cases/original.jsonl
//
// The data and the functions are those of ../it/original.rs.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/template"
)

const helpers = `{{define "h1"}}[h1 {{ .s }}]{{end}}{{define "h2"}}<{{template "h1" .}} {{ .a.s }}>{{end}}` +
	"{{define \"h3\"}}{{ .nope.x }}{{end}}\n{{define \"h4\"}}\n  {{ include \"h3\" . }}{{end}}"

type record struct {
	Template string  `json:"template"`
	Strict   bool    `json:"strict,omitempty"`
	Output   *string `json:"output,omitempty"`
	Error    *string `json:"error,omitempty"`
}

func main() {
	data, err := os.ReadFile("../cases/original-data.json")
	if err != nil {
		panic(err)
	}
	in := bufio.NewScanner(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for in.Scan() {
		var r record
		if err := json.Unmarshal(in.Bytes(), &r); err != nil {
			panic(err)
		}
		var dot any
		if err := json.Unmarshal(data, &dot); err != nil {
			panic(err)
		}
		if text, err := run(r, dot); err != nil {
			message := err.Error()
			r.Output, r.Error = nil, &message
		} else {
			r.Output, r.Error = &text, nil
		}
		if err := out.Encode(r); err != nil {
			panic(err)
		}
	}
}

func run(r record, dot any) (string, error) {
	missing := "missingkey=zero"
	if r.Strict {
		missing = "missingkey=error"
	}
	t := template.New("gotpl").Option(missing)
	t.Funcs(template.FuncMap{
		"bytes":   func(s string) []byte { return []byte(s) },
		"fail":    func(s string) (string, error) { return "", errors.New(s) },
		"float":   func(f float64) float64 { return f },
		"ident":   func(v any) any { return v },
		"int64":   func(i int64) int64 { return i },
		"list":    func(v ...any) []any { return append([]any{}, v...) },
		"mapsize": func(m map[string]any, _ ...any) int { return len(m) },
		"nillist": func() []any { return nil },
		"nilmap":  func() map[string]any { return nil },
		"strings": func(s ...string) []string { return append([]string{}, s...) },
		"truth":   func(b bool) bool { return b },
		"uint8":   func(u uint8) uint8 { return u },
		"upper":   strings.ToUpper,
	})
	bind(t, missing)
	if _, err := t.New("h").Parse(helpers); err != nil {
		return "", err
	}
	if _, err := t.New("t").Parse(r.Template); err != nil {
		return "", err
	}
	var out strings.Builder
	err := t.ExecuteTemplate(&out, "t", dot)
	return out.String(), err
}

// bind gives a set its own include and tpl, as Helm does.
func bind(t *template.Template, missing string) {
	t.Funcs(template.FuncMap{
		"include": func(name string, dot any) (string, error) {
			var out strings.Builder
			err := t.ExecuteTemplate(&out, name, dot)
			return out.String(), err
		},
		"tpl": func(text string, dot any) (string, error) {
			clone, err := t.Clone()
			if err != nil {
				return "", err
			}
			clone.Option(missing)
			bind(clone, missing)
			parsed, err := clone.New(t.Name()).Parse(text)
			if err != nil {
				return "", fmt.Errorf("cannot parse template %q: %w", text, err)
			}
			var out strings.Builder
			if err := parsed.Execute(&out, dot); err != nil {
				return "", fmt.Errorf("error during tpl function execution for %q: %w", text, err)
			}
			return out.String(), nil
		},
	})
}
